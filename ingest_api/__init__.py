"""The doors: what is accepted, in which form, and with what answer."""
