"""Issuers: what turns a refresh token into an access token. One file each; `registry` knows them by name."""
