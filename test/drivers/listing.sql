SELECT 'schema', n.nspname, coalesce(obj_description(n.oid, 'pg_namespace'), '')
FROM pg_namespace n WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'view', n.nspname || '.' || c.relname, coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname IN ('recsys', 'shop')
UNION ALL
SELECT 'column', n.nspname || '.' || c.relname || '.' || a.attname, coalesce(col_description(c.oid, a.attnum), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname IN ('recsys', 'shop') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'function', n.nspname || '.' || p.proname, coalesce(obj_description(p.oid, 'pg_proc'), '')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'shop'
