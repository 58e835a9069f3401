"""Writes golden/: Delta tables by Apache Spark, and the rows that Spark reads from them.

    python3 -m pip install pyspark==4.0.1 delta-spark==4.0.0
    python3 tests/delta/write-golden.py OUT JARS

JARS is a folder with io.delta:delta-spark_2.13:4.0.0 and what it depends on (`mvn dependency:copy-dependencies`).
"""

import os
import sys

from pyspark.sql import SparkSession

out, jars = (os.path.abspath(path) for path in sys.argv[1:3])
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.jars", ",".join(os.path.join(jars, name) for name in os.listdir(jars)))
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.ansi.enabled", "false")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
FORMAT = (
    "map('ignoreNullFields', 'false', 'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS',"
    " 'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS')"
)


def table(name):
    return f"delta.`{out}/{name}`"


def create(name, columns, properties="", partitions=""):
    by = f"partitioned by ({partitions})" if partitions else ""
    with_properties = f"tblproperties({properties})" if properties else ""
    spark.sql(f"create table {table(name)} ({columns}) using delta {by} {with_properties}")


def write(name, lines, file="expected.ndjson"):
    with open(f"{out}/{name}/{file}", "w") as expected:
        expected.writelines(line + "\n" for line in lines)


def expect(name, order="id"):
    rows = spark.sql(f"select * from {table(name)} order by {order}")
    write(name, (row.j for row in rows.selectExpr(f"to_json(struct(*), {FORMAT}) j").collect()))


def deletion_vectors():
    name = "deletion-vectors"
    create(name, "id long, name string", "'delta.enableDeletionVectors'='true','delta.checkpointInterval'='3'")
    spark.sql(f"insert into {table(name)} select id, concat('n', id) from range(0, 1000, 1, 1)")
    spark.sql(f"insert into {table(name)} select id, concat('n', id) from range(1000, 1010, 1, 1)")
    spark.sql(f"delete from {table(name)} where id % 7 = 0 and id < 1000")
    spark.sql(f"update {table(name)} set name = 'updated' where id in (1, 1001)")
    spark.sql(f"delete from {table(name)} where id between 200 and 500")
    expect(name)


def column_mapping_name():
    name = "column-mapping-name"
    columns = "id long, `old name` string, s struct<a: int, b: string>, l array<struct<x: int>>, m map<string, struct<y: int>>, p int"
    create(name, columns, "'delta.columnMapping.mode'='name'", "p")
    spark.sql(
        f"insert into {table(name)} values (1, 'one', named_struct('a', 1, 'b', 'x'), array(named_struct('x', 1)), map('k', named_struct('y', 1)), 1)"
    )
    spark.sql(f"alter table {table(name)} rename column `old name` to `new, name`")
    spark.sql(f"alter table {table(name)} rename column s.a to c")
    spark.sql(f"alter table {table(name)} rename column p to q")
    spark.sql(f"alter table {table(name)} drop column s.b")
    spark.sql(f"alter table {table(name)} add column (`old name` int)")
    spark.sql(
        f"insert into {table(name)} (id, `new, name`, s, l, m, q, `old name`) values (2, 'two', named_struct('c', 2), array(named_struct('x', 2), null), map('k', null), 2, 22)"
    )
    expect(name)


def column_mapping_id():
    name = "column-mapping-id"
    columns = "id long, a string, s struct<x: int, y: string>, l array<struct<x: int>>, m map<string, struct<y: int>>"
    create(name, columns, "'delta.columnMapping.mode'='id'")
    spark.sql(
        f"insert into {table(name)} values (1, 'one', named_struct('x', 1, 'y', 'why'), array(named_struct('x', 1)), map('k', named_struct('y', 1)))"
    )
    spark.sql(f"alter table {table(name)} rename column a to b")
    spark.sql(f"alter table {table(name)} rename column s.x to z")
    spark.sql(f"alter table {table(name)} drop column s.y")
    spark.sql(f"alter table {table(name)} add column (a double)")
    spark.sql(f"insert into {table(name)} (id, b, s, l, m, a) values (2, 'two', named_struct('z', 2), array(), map(), 2.5)")
    expect(name)


def type_widening():
    name = "type-widening"
    columns = "id int, b byte, f float, d date, dec decimal(5,2), i int, s struct<x: short>, l array<int>, p byte"
    create(name, columns, "'delta.enableTypeWidening'='true'", "p")
    spark.sql(
        f"insert into {table(name)} values (1, 127, 0.1, '2026-01-01', 123.45, 7, named_struct('x', 1), array(1, 2), 1)"
    )
    wider = {"id": "long", "b": "int", "f": "double", "dec": "decimal(10,3)", "i": "decimal(12,1)", "s.x": "int"}
    for column, wide in {**wider, "l.element": "long", "p": "int"}.items():
        spark.sql(f"alter table {table(name)} alter column {column} type {wide}")
    spark.sql(
        f"insert into {table(name)} values (9999999999, 100000, 1e300, '2026-01-02 03:04:05', 1234567.891, 12345678901.5, named_struct('x', 100000), array(9999999999), 100000)"
    )
    expect(name)


def v2_checkpoints():
    for top in ("json", "parquet"):
        name = "v2-checkpoint-" + top
        spark.conf.set("spark.databricks.delta.checkpointV2.topLevelFileFormat", top)
        create(name, "id long, p string", "'delta.checkpointPolicy'='v2','delta.checkpointInterval'='3'", "p")
        for i in range(5):
            spark.sql(f"insert into {table(name)} values ({i}, 'a b/{i}'), ({i}, null)")
        expect(name, "id, p")


def multi_part_checkpoint():
    name = "multi-part-checkpoint"
    spark.conf.set("spark.databricks.delta.checkpoint.partSize", "3")
    create(name, "id long", "'delta.checkpointInterval'='5'")
    for i in range(7):
        spark.sql(f"insert into {table(name)} values ({i})")
    spark.conf.unset("spark.databricks.delta.checkpoint.partSize")
    expect(name)


def partition_values():
    name = "partition-values"
    columns = "id long, b boolean, y byte, sh short, i int, l long, f float, d double, st string, bi binary, da date, ts timestamp, dec decimal(10,3), n timestamp_ntz"
    create(name, columns, partitions="b, y, sh, i, l, f, d, st, bi, da, ts, dec, n")
    for row in (
        "1, true, 1, 2, 3, 9223372036854775807, 0.1, 1e100, 'a/b=c %é*', cast('xy' as binary), date'2026-02-28', timestamp'2026-01-01 00:00:00.123456', 12345.678, timestamp_ntz'2026-01-01 00:00:00.5'",
        "2" + ", null" * 13,
        "3, false, -1, -2, -3, -4, float('NaN'), double('-Infinity'), '', cast('' as binary), date'0001-01-01', timestamp'1969-12-31 23:59:59', -0.001, timestamp_ntz'9999-12-31 23:59:59'",
    ):
        spark.sql(f"insert into {table(name)} select {row}")
    expect(name)


def every_type():
    name = "every-type"
    columns = "id long, b boolean, y byte, sh short, i int, f float, d double, st string, bi binary, da date, ts timestamp, dec decimal(38,18), n timestamp_ntz, c char(5), v varchar(5), a array<array<int>>, m map<int, map<string, date>>, s struct<`a.b`: struct<c: timestamp>>, i_v int not null"
    create(name, columns)
    spark.sql(
        f"insert into {table(name)} values (1, true, 1, 2, 3, 0.1, 1e100, 'é\\u0000x', unhex('00ff'), '2026-02-28', '2026-01-01 00:00:00.123456', 12345.678, timestamp_ntz'2026-01-01 00:00:00.5', 'ab', 'cd', array(array(1, null), null), map(1, map('k', date'2026-01-01')), named_struct('a.b', named_struct('c', timestamp'2026-01-01 00:00:00')), 5), (2{', null' * 17}, 6)"
    )
    expect(name)


def int96():
    name = "int96"
    spark.conf.set("spark.sql.parquet.outputTimestampType", "INT96")
    create(name, "id long, ts timestamp, s struct<ts: timestamp>, l array<timestamp>")
    spark.sql(
        f"insert into {table(name)} values (1, '2026-01-01 00:00:00.123456', named_struct('ts', timestamp'1900-01-01 00:00:00'), array(timestamp'9999-12-31 23:59:59')), (2, null, null, null)"
    )
    spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
    expect(name)


def change_data_feed():
    name = "change-data-feed"
    create(name, "id long, v string", "'delta.enableChangeDataFeed'='true'")
    spark.sql(f"insert into {table(name)} values (1, 'a'), (2, 'b'), (3, 'c')")
    spark.sql(f"update {table(name)} set v = 'z' where id = 2")
    spark.sql(f"delete from {table(name)} where id = 1")
    expect(name)
    changes = spark.sql(
        f"select to_json(struct(id, v, _change_type, _commit_version)) j from table_changes_by_path('{out}/{name}', 0)"
    )
    write(name, sorted(row.j for row in changes.collect()), "expected-changes.ndjson")


def in_commit_timestamps():
    name = "in-commit-timestamps"
    create(name, "id long")
    spark.sql(f"insert into {table(name)} values (1)")
    spark.sql(f"alter table {table(name)} set tblproperties('delta.enableInCommitTimestamps'='true')")
    spark.sql(f"insert into {table(name)} values (2)")
    expect(name)


def constraints():
    name = "constraints"
    create(name, "id long not null, quantity int")
    spark.sql(f"alter table {table(name)} add constraint positive check (quantity > 0 and id is not null)")
    spark.sql(f"insert into {table(name)} values (1, 5)")
    expect(name)


def generated_columns():
    from delta.tables import DeltaTable

    name = "generated-columns"
    builder = DeltaTable.create(spark).location(f"{out}/{name}").addColumn("id", "long")
    builder.addColumn("twice", "long", generatedAlwaysAs="id * 2").execute()
    spark.sql(f"insert into {table(name)} (id) values (21)")
    expect(name)


def variant():
    create("variant", "id long, v variant")


for each in (
    deletion_vectors,
    column_mapping_name,
    column_mapping_id,
    type_widening,
    v2_checkpoints,
    multi_part_checkpoint,
    partition_values,
    every_type,
    int96,
    change_data_feed,
    in_commit_timestamps,
    constraints,
    generated_columns,
    variant,
):
    each()
for folder, _, files in os.walk(out):
    for file in files:
        if file.endswith(".crc"):
            os.remove(os.path.join(folder, file))
