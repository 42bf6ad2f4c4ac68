"""Plans that add, rename and remove assets."""
