"""Mobile robots under a fleet control that speaks VDA 5050, version 2, over MQTT."""
