value = "space"
