"""Networks that tell classes, trained on labelled data into run folders."""
