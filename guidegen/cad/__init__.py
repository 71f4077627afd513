"""Parts of guides as short pure functions; lengths in mm, in the guide's own frame."""
