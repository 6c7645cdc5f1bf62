"""The shell's side of commands: environment variables, and the exit status of Ctrl-C."""

API, TOKEN = "IMAGE_GATEWAY_API", "IMAGE_GATEWAY_TOKEN"  # in the environment
STOPPED = 130  # the exit status of what Ctrl-C ended: 128 + SIGINT
