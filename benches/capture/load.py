"""Loads one table with dlt: the source's URL, the target's, the table."""

import sys

import dlt
from dlt.sources.sql_database import sql_table

source, target, name = sys.argv[1:]
rows = sql_table(credentials=source, table=name, schema="public", backend="pyarrow", chunk_size=100_000)
pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(target), dataset_name="app")
pipeline.run(rows, write_disposition="replace", loader_file_format="csv")
