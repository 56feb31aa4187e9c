"""EC2 as it is: a WSGI layer in front of moto, seeded. `python3 -m ec2_layer --help`."""
