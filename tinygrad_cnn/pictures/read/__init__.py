"""From a recorded graph to the boxes, edges and groups of a picture."""
