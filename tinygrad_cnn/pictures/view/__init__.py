"""What a picture shows, as plain data that holds no node."""
