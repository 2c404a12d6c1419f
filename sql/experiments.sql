/*
 * Experiments
 *
 * A row of recsys.experiment is what somebody has declared, by names, so that a dump brings it along.
 * It is written by the functions below alone; recsys.experiments shows it.  Purchases are read with
 * the rights of its owner, so who restores a dump gives experiments only to roles that he has the
 * rights of, as with recommenders.
 */
CREATE TABLE recsys.experiment (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	started_at timestamptz,
	stopped_at timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now());
COMMENT ON TABLE recsys.experiment IS 'experiments, as recsys.create_experiment has made them; recsys.experiments shows them';
COMMENT ON COLUMN recsys.experiment.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.experiment.owner IS 'role that has declared it, with whose rights purchases are read';
COMMENT ON COLUMN recsys.experiment.definition IS 'what is declared, under the names of the parameters; relations with their schemas, expressions that mean the same under every search path';
COMMENT ON COLUMN recsys.experiment.started_at IS 'when it began to assign; NULL: not yet';
COMMENT ON COLUMN recsys.experiment.stopped_at IS 'when it ended; NULL: not yet';
COMMENT ON COLUMN recsys.experiment.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.experiment.changed_at IS 'when it was changed last';
SELECT pg_catalog.pg_extension_config_dump('recsys.experiment', '');
CREATE TRIGGER experiment_owner BEFORE INSERT OR UPDATE ON recsys.experiment
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT SELECT, INSERT ON recsys.experiment TO @extowner@;

CREATE FUNCTION recsys.create_experiment(
	name text,
	variants jsonb,
	segment text DEFAULT NULL,
	metrics text[] DEFAULT NULL,
	primary_metric text DEFAULT NULL,
	purchases text DEFAULT NULL,
	attribution_window interval DEFAULT '7 days',
	attribution text DEFAULT 'last',
	guardrails text[] DEFAULT NULL,
	unit text DEFAULT 'user',
	eligible text DEFAULT NULL,
	layer text DEFAULT NULL,
	layer_share double precision DEFAULT 1,
	holdout double precision DEFAULT NULL,
	interleave boolean DEFAULT false,
	method text DEFAULT 'sequential',
	correction text DEFAULT 'holm',
	alpha double precision DEFAULT 0.05,
	winsorise double precision DEFAULT NULL,
	pre_period interval DEFAULT NULL,
	expected_users bigint DEFAULT 5000,
	salt text DEFAULT NULL,
	start boolean DEFAULT true)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_experiment(text, jsonb, text, text[], text, text, interval, text, text[], text, text, text, double precision, double precision, boolean, text, text, double precision, double precision, interval, bigint, text, boolean)
	IS 'declares an experiment, whose name is then one for recommend: each user, or session, gets one of its variants';

CREATE FUNCTION recsys.alter_experiment(
	name text,
	variants jsonb DEFAULT NULL,
	segment text DEFAULT NULL,
	metrics text[] DEFAULT NULL,
	primary_metric text DEFAULT NULL,
	purchases text DEFAULT NULL,
	attribution_window interval DEFAULT NULL,
	attribution text DEFAULT NULL,
	guardrails text[] DEFAULT NULL,
	unit text DEFAULT NULL,
	eligible text DEFAULT NULL,
	layer text DEFAULT NULL,
	layer_share double precision DEFAULT NULL,
	holdout double precision DEFAULT NULL,
	interleave boolean DEFAULT NULL,
	method text DEFAULT NULL,
	correction text DEFAULT NULL,
	alpha double precision DEFAULT NULL,
	winsorise double precision DEFAULT NULL,
	pre_period interval DEFAULT NULL,
	expected_users bigint DEFAULT NULL,
	salt text DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_experiment(text, jsonb, text, text[], text, text, interval, text, text[], text, text, text, double precision, double precision, boolean, text, text, double precision, double precision, interval, bigint, text, text[], text)
	IS 'changes an experiment; what is NULL stays as it is, reset names the parameters to have their defaults again; users keep their variants as far as shares allow';

CREATE FUNCTION recsys.start_experiment(name text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_start_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.start_experiment(text) IS 'starts an experiment that was created with start => false';

CREATE FUNCTION recsys.stop_experiment(name text, winner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_stop_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.stop_experiment(text, text) IS 'ends an experiment: from then on everybody gets the winner, or the first variant, and requests do not count any more';

CREATE FUNCTION recsys.drop_experiment(name text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_experiment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_experiment(text, boolean) IS 'removes an experiment; recommenders, tables and what has been logged stay';

CREATE FUNCTION recsys.experiment_problem(name text)
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_experiment_problem' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.experiment_problem(text) IS 'why you cannot use an experiment as it is, or NULL: what is gone, has another type, or may not be read by you; nothing that is declared is run';

CREATE VIEW recsys.experiments WITH (security_barrier) AS
SELECT e.name, e.owner,
	   CASE WHEN e.stopped_at IS NOT NULL THEN 'stopped' WHEN e.started_at IS NOT NULL THEN 'running' ELSE 'created' END AS state,
	   e.definition -> 'variants' AS variants,
	   e.definition ->> 'winner' AS winner,
	   e.definition ->> 'segment' AS segment,
	   ARRAY(SELECT jsonb_array_elements_text(e.definition -> 'metrics')) AS metrics,
	   e.definition ->> 'primary_metric' AS primary_metric,
	   e.definition -> 'purchases' AS purchases,
	   (e.definition ->> 'attribution_window')::interval AS attribution_window,
	   e.definition ->> 'attribution' AS attribution,
	   ARRAY(SELECT jsonb_array_elements_text(e.definition -> 'guardrails')) AS guardrails,
	   e.definition ->> 'unit' AS unit,
	   e.definition ->> 'eligible' AS eligible,
	   e.definition ->> 'layer' AS layer,
	   (e.definition ->> 'layer_share')::double precision AS layer_share,
	   (e.definition ->> 'layer_low')::double precision AS layer_low,
	   (e.definition ->> 'layer_high')::double precision AS layer_high,
	   (e.definition ->> 'holdout')::double precision AS holdout,
	   coalesce((e.definition ->> 'interleave')::boolean, false) AS interleave,
	   e.definition ->> 'method' AS method,
	   e.definition ->> 'correction' AS correction,
	   (e.definition ->> 'alpha')::double precision AS alpha,
	   (e.definition ->> 'winsorise')::double precision AS winsorise,
	   (e.definition ->> 'pre_period')::interval AS pre_period,
	   (e.definition ->> 'expected_users')::bigint AS expected_users,
	   coalesce(e.definition ->> 'salt', e.name) AS salt,
	   e.created_at, e.changed_at, e.started_at, e.stopped_at,
	   (e.definition ->> 'shares_since')::timestamptz AS shares_since,
	   recsys.experiment_problem(e.name) AS problem
FROM recsys.experiment e
WHERE pg_has_role('pg_read_all_data', 'USAGE') OR
	  EXISTS (SELECT FROM pg_roles r WHERE r.rolname = e.owner AND pg_has_role(r.oid, 'USAGE')) OR
	  EXISTS (SELECT FROM pg_class c WHERE c.oid = 'recsys.request_log'::regclass AND pg_has_role(c.relowner, 'USAGE'));
COMMENT ON VIEW recsys.experiments IS 'experiments of those whose rights you have, one row each, with what is declared of them; NULL is what is not';
COMMENT ON COLUMN recsys.experiments.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.experiments.owner IS 'role that has declared it; those who have its rights may change it';
COMMENT ON COLUMN recsys.experiments.state IS 'created, running or stopped';
COMMENT ON COLUMN recsys.experiments.variants IS 'name, recommender and share of each variant, the control first';
COMMENT ON COLUMN recsys.experiments.winner IS 'variant that everybody gets once it is stopped; NULL: the first one';
COMMENT ON COLUMN recsys.experiments.segment IS 'expression over the profiles by which results are divided';
COMMENT ON COLUMN recsys.experiments.metrics IS 'by what variants are compared';
COMMENT ON COLUMN recsys.experiments.primary_metric IS 'by which of them it is decided';
COMMENT ON COLUMN recsys.experiments.purchases IS 'where purchases are read; NULL: where the log reads them';
COMMENT ON COLUMN recsys.experiments.attribution_window IS 'time after a request in which a purchase is of it';
COMMENT ON COLUMN recsys.experiments.attribution IS 'which request a purchase is of if there are several: first, last, or position: shared by their positions';
COMMENT ON COLUMN recsys.experiments.guardrails IS 'metrics that must not get worse';
COMMENT ON COLUMN recsys.experiments.unit IS 'who gets a variant and is counted: user or session';
COMMENT ON COLUMN recsys.experiments.eligible IS 'expression over the profiles: who takes part';
COMMENT ON COLUMN recsys.experiments.layer IS 'experiments of one layer have no unit in common; NULL: of its own';
COMMENT ON COLUMN recsys.experiments.layer_share IS 'share of the layer''s units that take part, of those that are not held out';
COMMENT ON COLUMN recsys.experiments.layer_low IS 'the places of the layer that it has: from here';
COMMENT ON COLUMN recsys.experiments.layer_high IS 'to here';
COMMENT ON COLUMN recsys.experiments.holdout IS 'share of the layer''s units that take part in none of its experiments';
COMMENT ON COLUMN recsys.experiments.interleave IS 'both variants'' lists are shown as one';
COMMENT ON COLUMN recsys.experiments.method IS 'sequential: intervals hold however often one looks; fixed: for one look';
COMMENT ON COLUMN recsys.experiments.correction IS 'of p-values for many variants and metrics: holm, benjamini_hochberg or none';
COMMENT ON COLUMN recsys.experiments.alpha IS 'how often a difference may be seen where there is none';
COMMENT ON COLUMN recsys.experiments.winsorise IS 'quantile at which values of a unit are capped; 1: they are not';
COMMENT ON COLUMN recsys.experiments.pre_period IS 'time before a unit''s first request that its values are adjusted by; NULL: they are not';
COMMENT ON COLUMN recsys.experiments.expected_users IS 'number of units at which sequential intervals are narrowest';
COMMENT ON COLUMN recsys.experiments.salt IS 'what the hash of units is made with';
COMMENT ON COLUMN recsys.experiments.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.experiments.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.experiments.started_at IS 'when it began to assign; NULL: not yet';
COMMENT ON COLUMN recsys.experiments.stopped_at IS 'when it ended; NULL: not yet';
COMMENT ON COLUMN recsys.experiments.shares_since IS 'when shares were changed last while it ran; NULL: never';
COMMENT ON COLUMN recsys.experiments.problem IS 'why you cannot use it as it is, else NULL';
GRANT SELECT ON recsys.experiments TO PUBLIC;

CREATE FUNCTION recsys.assignment(
	experiment text,
	user_id anyelement,
	session_id text DEFAULT NULL,
	OUT variant text,
	OUT recommender text,
	OUT segment text,
	OUT takes_part boolean,
	OUT reason text)
	AS 'MODULE_PATHNAME', 'recsys_assignment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10;
COMMENT ON FUNCTION recsys.assignment(text, anyelement, text) IS 'the variant of an experiment that a user or a session gets, whether that counts, and why not';

CREATE FUNCTION recsys.assignment(
	experiment text,
	user_id text DEFAULT NULL,
	session_id text DEFAULT NULL,
	OUT variant text,
	OUT recommender text,
	OUT segment text,
	OUT takes_part boolean,
	OUT reason text)
	AS 'MODULE_PATHNAME', 'recsys_assignment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10;
COMMENT ON FUNCTION recsys.assignment(text, text, text) IS 'the same for a key that is written as text';

CREATE FUNCTION recsys.interleaving_results(
	experiment text,
	OUT first text,
	OUT second text,
	OUT users bigint,
	OUT requests bigint,
	OUT first_clicks bigint,
	OUT second_clicks bigint,
	OUT first_users bigint,
	OUT second_users bigint,
	OUT tied_users bigint,
	OUT preference double precision,
	OUT ci_low double precision,
	OUT ci_high double precision,
	OUT p_value double precision,
	OUT sign_test_p_value double precision,
	OUT preferred text)
	AS 'MODULE_PATHNAME', 'recsys_interleaving_results' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION recsys.interleaving_results(text) IS 'which of two interleaved variants users click on: from -1, only on the first one''s items, to 1, only on the second one''s, with an interval that holds however often one looks; preferred is NULL as long as that is not sure';
