
# A group-by, as Quokka users write it.
rows = range(3000)
table = polars.from_dict({"key": [row % 3 for row in rows], "value": list(rows)})
sums = context.from_polars(table).groupby("key").agg({"value": "sum"}).collect()
found = dict(zip(sums["key"].to_list(), sums["value_sum"].to_list()))
print("sums", json.dumps(found, sort_keys=True))
