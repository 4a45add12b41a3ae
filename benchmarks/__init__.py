"""Side by side with the libraries and with CheXlocalize's scripts; see README.md."""
