"""What the browser draws of one radiograph, as plain data and as bytes."""
