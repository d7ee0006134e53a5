"""The local cloud: an embedded AWS, and a stand-in for what no emulator has."""
