"""What the pages share: navigation, the guard each page begins with, cached reads and the viewer."""
