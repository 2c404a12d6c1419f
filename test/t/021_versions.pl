# ALTER EXTENSION UPDATE from every older version gives what CREATE EXTENSION gives:
# the same objects with the same definitions, defaults, comments and privileges.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my @older = qw(0.1.0);

# One line an object; everything about it that a user could see
my $surface = <<'SQL';
WITH member AS (
	SELECT d.classid, d.objid FROM pg_depend d
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE e.extname = 'recsys' AND d.deptype = 'e')
SELECT regexp_replace(line, '\s+', ' ', 'g') FROM (
SELECT format('member %s: %s', pg_describe_object(classid, objid, 0),
	coalesce(obj_description(objid, classid::regclass::text), '-')) AS line
FROM member
UNION ALL
SELECT format('function %s %s acl %s', p.oid::regprocedure,
	CASE WHEN p.prokind = 'f' THEN pg_get_functiondef(p.oid) END, p.proacl)
FROM member JOIN pg_proc p ON classid = 'pg_proc'::regclass AND p.oid = objid
UNION ALL
SELECT format('relation %s %s acl %s options %s: %s', c.oid::regclass, c.relkind, c.relacl, c.reloptions,
	CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
FROM member JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
UNION ALL
SELECT format('column %s.%s %s %s not null %s default %s acl %s: %s', c.oid::regclass, a.attname, a.attnum,
	format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attacl,
	col_description(c.oid, a.attnum))
FROM member JOIN pg_class c ON classid = 'pg_class'::regclass AND c.oid = objid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
UNION ALL
SELECT format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(k.oid))
FROM member JOIN pg_constraint k ON classid = 'pg_class'::regclass AND k.conrelid = objid
UNION ALL
SELECT format('index %s', pg_get_indexdef(i.indexrelid))
FROM member JOIN pg_index i ON classid = 'pg_class'::regclass AND i.indrelid = objid
UNION ALL
SELECT format('trigger %s', pg_get_triggerdef(t.oid))
FROM member JOIN pg_trigger t ON classid = 'pg_class'::regclass AND t.tgrelid = objid AND NOT t.tgisinternal
UNION ALL
SELECT format('type %s %s acl %s: %s', t.oid::regtype, t.typtype, t.typacl,
	(SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
FROM member JOIN pg_type t ON classid = 'pg_type'::regclass AND t.oid = objid
UNION ALL
SELECT format('operator class %s of %s family %s for %s default %s stores %s', o.opcname,
	(SELECT amname FROM pg_am a WHERE a.oid = o.opcmethod), f.opfname, o.opcintype::regtype, o.opcdefault, o.opckeytype::regtype)
FROM member JOIN pg_opclass o ON classid = 'pg_opclass'::regclass AND o.oid = objid
JOIN pg_opfamily f ON f.oid = o.opcfamily
UNION ALL
SELECT format('operator family %s %s %s', f.opfname, o.amopopr::regoperator, o.amopstrategy)
FROM member JOIN pg_opfamily f ON classid = 'pg_opfamily'::regclass AND f.oid = objid
JOIN pg_amop o ON o.amopfamily = f.oid
UNION ALL
SELECT format('support %s for %s %s %s', f.opfname, p.amproclefttype::regtype, p.amprocnum, p.amproc::regprocedure)
FROM member JOIN pg_opfamily f ON classid = 'pg_opfamily'::regclass AND f.oid = objid
JOIN pg_amproc p ON p.amprocfamily = f.oid
UNION ALL
SELECT format('schema %s acl %s', n.nspname, n.nspacl)
FROM member JOIN pg_namespace n ON classid = 'pg_namespace'::regclass AND n.oid = objid
UNION ALL
SELECT format('dumped %s %s', relation.oid::regclass, extcondition[place])
FROM pg_extension, unnest(extconfig) WITH ORDINALITY AS c (oid, place), LATERAL (SELECT c.oid) relation
WHERE extname = 'recsys') surface
ORDER BY 1
SQL

my $node = PostgreSQL::Test::Cluster->new('versions');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\n");
$node->start;

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION recsys');
my $fresh = $node->safe_psql('fresh', $surface);
cmp_ok(scalar(split(/\n/, $fresh)), '>', 100, 'a new installation has its objects');

for my $version (@older)
{
	my $database = "from_$version";

	$node->safe_psql('postgres', qq(CREATE DATABASE "$database"));
	$node->safe_psql($database, "CREATE EXTENSION recsys VERSION '$version'");
	$node->safe_psql($database, <<'SQL');
CREATE TABLE purchases (user_id bigint, product_id bigint);
INSERT INTO purchases SELECT n / 3, n % 7 FROM generate_series(1, 300) n;
CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id);
CREATE MATERIALIZED VIEW neighbors AS SELECT * FROM item_similarity('purchases_recsys');
SQL
	my $before = $node->safe_psql($database, 'SELECT item_id, score FROM recommend(5, 10)');
	$node->safe_psql($database, 'ALTER EXTENSION recsys UPDATE');

	my %missing = map { $_ => 1 } split /\n/, $fresh;
	my @unexpected = grep { !delete $missing{$_} } split /\n/, $node->safe_psql($database, $surface);
	is(join("\n", @unexpected), '', "upgraded from $version: nothing that a new installation lacks");
	is(join("\n", sort keys %missing), '', "upgraded from $version: nothing missing");
	is($node->safe_psql($database, 'SELECT item_id, score FROM recommend(5, 10)'), $before,
		"upgraded from $version: an index answers as before");
	$node->safe_psql($database, 'REFRESH MATERIALIZED VIEW neighbors');
	pass("upgraded from $version: a materialized view is refreshed");
}

done_testing();
