"""A realistic EC2: a WSGI layer in front of moto, with a seed. `python3 -m ec2_layer --help`."""
