@rem npm runs scripts here in cmd, which has no exec: this stands in.
@%*
