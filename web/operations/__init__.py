"""THE NIGHT AS A PICTURE: a page for those who run it, with a port and a login of its own. It changes nothing."""
