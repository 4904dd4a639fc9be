"""When two answers are equal: by their text, as numbers, with units, by computer algebra."""
