"""The local cloud: an embedded AWS, and a stand-in for the services that no emulator offers."""
