"""Tables of the document; each kind is a module, and ``kinds`` finds it."""
