"""The distributions under examples/, as strangers install them."""
