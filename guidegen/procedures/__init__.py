"""What differs between the operations. A new procedure is one folder and one line."""
