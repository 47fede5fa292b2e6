"""What a configuration can name by its kind; each kind is a row in one of these modules."""
