/*
 * Bandits
 *
 * What is declared is a row of recsys.bandit.  What is learned comes in as rows of
 * recsys.bandit_delta, which are only inserted, so that nobody waits for anybody; whoever gets the
 * bandit's lock without waiting folds them into recsys.bandit_state.  All of it is dumped: a bandit
 * that is restored goes on with what it has learned.
 */

/*
 * Written by the functions below alone; names, so that a dump brings it along.  Candidates are read with
 * the rights of the row's owner, so the table is not that of the extension's owner: he might write
 * another role there.
 */
CREATE TABLE recsys.bandit (
	name text COLLATE "C" PRIMARY KEY,
	owner text NOT NULL,
	definition jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now(),
	generation uuid NOT NULL DEFAULT gen_random_uuid(),
	counted_since timestamptz NOT NULL DEFAULT clock_timestamp(),
	features_since timestamptz NOT NULL DEFAULT clock_timestamp());
COMMENT ON TABLE recsys.bandit IS 'bandits, as recsys.create_bandit has made them; recsys.bandits shows them';
COMMENT ON COLUMN recsys.bandit.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.bandit.owner IS 'role that has declared it';
COMMENT ON COLUMN recsys.bandit.definition IS 'what is declared, under the names of the parameters; relations with their schemas, expressions that mean the same under every search path';
COMMENT ON COLUMN recsys.bandit.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.bandit.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.bandit.generation IS 'what its counts are found by: another one when it has been reset';
COMMENT ON COLUMN recsys.bandit.counted_since IS 'when it began to count: what requests before that bring is not its';
COMMENT ON COLUMN recsys.bandit.features_since IS 'since when its features are what they are';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit', '');
CREATE TRIGGER bandit_owner BEFORE INSERT OR UPDATE ON recsys.bandit
	FOR EACH ROW EXECUTE FUNCTION recsys.recommender_owner();
GRANT SELECT, INSERT ON recsys.bandit TO @extowner@;

CREATE TABLE recsys.bandit_state (
	generation uuid NOT NULL,
	arm text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	trials double precision NOT NULL,
	rewards double precision NOT NULL,
	squares double precision NOT NULL,
	sums double precision[],
	as_of timestamptz NOT NULL,
	retired_at timestamptz,
	PRIMARY KEY (generation, arm, place));
ALTER TABLE recsys.bandit_state OWNER TO @extowner@;
COMMENT ON TABLE recsys.bandit_state IS 'what bandits have learned of their arms; recsys.bandit_arms shows it';
COMMENT ON COLUMN recsys.bandit_state.generation IS 'of which bandit';
COMMENT ON COLUMN recsys.bandit_state.arm IS 'recommender; of places the item, or nothing for the base list';
COMMENT ON COLUMN recsys.bandit_state.place IS 'place of the list, 0: the list as a whole';
COMMENT ON COLUMN recsys.bandit_state.trials IS 'how often it was shown, decayed';
COMMENT ON COLUMN recsys.bandit_state.rewards IS 'what that has brought, decayed';
COMMENT ON COLUMN recsys.bandit_state.squares IS 'sum of the squares of what each of them has brought, decayed';
COMMENT ON COLUMN recsys.bandit_state.sums IS 'of policies with features: trials, sums of reward times feature, and of products of features';
COMMENT ON COLUMN recsys.bandit_state.as_of IS 'when all of this was so: it decays from then on';
COMMENT ON COLUMN recsys.bandit_state.retired_at IS 'since when the item is no candidate any more';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit_state', '');

CREATE TABLE recsys.bandit_delta (
	generation uuid NOT NULL,
	arm text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	request_id uuid NOT NULL,
	request_time timestamptz NOT NULL,
	reward double precision,
	features double precision[]);
ALTER TABLE recsys.bandit_delta OWNER TO @extowner@;
CREATE INDEX bandit_delta_generation ON recsys.bandit_delta (generation);
COMMENT ON TABLE recsys.bandit_delta IS 'trials and rewards that are not yet in recsys.bandit_state';
COMMENT ON COLUMN recsys.bandit_delta.generation IS 'of which bandit';
COMMENT ON COLUMN recsys.bandit_delta.arm IS 'recommender; of places the item, or nothing for the base list';
COMMENT ON COLUMN recsys.bandit_delta.place IS 'place of the list, 0: the list as a whole';
COMMENT ON COLUMN recsys.bandit_delta.request_id IS 'request';
COMMENT ON COLUMN recsys.bandit_delta.request_time IS 'when that was';
COMMENT ON COLUMN recsys.bandit_delta.reward IS 'what it has brought; NULL: it was shown';
COMMENT ON COLUMN recsys.bandit_delta.features IS 'what the policy has seen of the context';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit_delta', '');
-- no key: a publication of all tables would not let rows be deleted
ALTER TABLE recsys.bandit_delta REPLICA IDENTITY FULL;

CREATE TABLE recsys.bandit_paid (
	generation uuid NOT NULL,
	request_id uuid NOT NULL,
	arm text COLLATE "C" NOT NULL,
	place integer NOT NULL,
	request_time timestamptz NOT NULL,
	paid double precision NOT NULL,
	PRIMARY KEY (generation, request_id, arm, place));
ALTER TABLE recsys.bandit_paid OWNER TO @extowner@;
COMMENT ON TABLE recsys.bandit_paid IS 'what each request has brought so far, so that a second click on one list is known to be one; rows are kept for 60 days';
COMMENT ON COLUMN recsys.bandit_paid.generation IS 'of which bandit';
COMMENT ON COLUMN recsys.bandit_paid.request_id IS 'request';
COMMENT ON COLUMN recsys.bandit_paid.arm IS 'recommender; of places the item, or nothing for the base list';
COMMENT ON COLUMN recsys.bandit_paid.place IS 'place of the list, 0: the list as a whole';
COMMENT ON COLUMN recsys.bandit_paid.request_time IS 'when the request was';
COMMENT ON COLUMN recsys.bandit_paid.paid IS 'the sum of its rewards that is in recsys.bandit_state';
SELECT pg_catalog.pg_extension_config_dump('recsys.bandit_paid', '');

CREATE FUNCTION recsys.create_bandit(
	name text,
	arms text[] DEFAULT NULL,
	policy text DEFAULT NULL,
	reward jsonb DEFAULT NULL,
	epsilon double precision DEFAULT NULL,
	half_life interval DEFAULT NULL,
	features jsonb DEFAULT NULL,
	prior jsonb DEFAULT NULL,
	exploration double precision DEFAULT NULL,
	minimum_share double precision DEFAULT NULL,
	recommender text DEFAULT NULL,
	places integer[] DEFAULT NULL,
	candidates text DEFAULT NULL,
	tolerance double precision DEFAULT NULL,
	seed bigint DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_create_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.create_bandit(text, text[], text, jsonb, double precision, interval, jsonb, jsonb, double precision, double precision, text, integer[], text, double precision, bigint)
	IS 'declares a bandit: a name for recommend under which the better one of several recommenders is found by showing them, or the better ones of new items at places of a list';

CREATE FUNCTION recsys.alter_bandit(
	name text,
	arms text[] DEFAULT NULL,
	policy text DEFAULT NULL,
	reward jsonb DEFAULT NULL,
	epsilon double precision DEFAULT NULL,
	half_life interval DEFAULT NULL,
	features jsonb DEFAULT NULL,
	prior jsonb DEFAULT NULL,
	exploration double precision DEFAULT NULL,
	minimum_share double precision DEFAULT NULL,
	recommender text DEFAULT NULL,
	places integer[] DEFAULT NULL,
	candidates text DEFAULT NULL,
	tolerance double precision DEFAULT NULL,
	seed bigint DEFAULT NULL,
	reset text[] DEFAULT NULL,
	new_name text DEFAULT NULL,
	new_owner text DEFAULT NULL)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_alter_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.alter_bandit(text, text[], text, jsonb, double precision, interval, jsonb, jsonb, double precision, double precision, text, integer[], text, double precision, bigint, text[], text, text)
	IS 'changes a bandit, which goes on with what it has learned; what is NULL stays as it is, reset names the parameters to do without';

CREATE FUNCTION recsys.reset_bandit(name text)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_reset_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.reset_bandit(text) IS 'a bandit forgets what it has learned; what requests before that still bring is not counted';

CREATE FUNCTION recsys.drop_bandit(name text, if_exists boolean DEFAULT false)
RETURNS void
	AS 'MODULE_PATHNAME', 'recsys_drop_bandit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION recsys.drop_bandit(text, boolean) IS 'removes a bandit and what it has learned; recommenders and the log stay';

CREATE FUNCTION recsys.fold_bandits()
RETURNS integer
	AS 'MODULE_PATHNAME', 'recsys_fold_bandits' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.fold_bandits() IS 'folds trials and rewards that have come in into the states of all bandits, as serving and recsys.maintain() do now and then; returns how many bandits had some';

CREATE FUNCTION recsys.bandit_problem(name text)
RETURNS text
	AS 'MODULE_PATHNAME', 'recsys_bandit_problem' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION recsys.bandit_problem(text) IS 'why you cannot use a bandit as it is, or NULL: what is gone, has another type, or may not be read by you';

CREATE FUNCTION recsys.bandit_choice(
	name text,
	user_id anycompatible,
	session_id text DEFAULT NULL,
	context jsonb DEFAULT NULL)
RETURNS TABLE (arm text, propensity double precision, policy text, features double precision[])
	AS 'MODULE_PATHNAME', 'recsys_bandit_choice' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION recsys.bandit_choice(text, anycompatible, text, jsonb) IS 'the arm that a bandit chooses now, how likely that was, and what of the context it has looked at: for applications that show and log by themselves';

CREATE FUNCTION recsys.bandit_arm_rows(name text)
RETURNS TABLE (arm text, place integer, trials double precision, rewards double precision,
	mean double precision, mean_low double precision, mean_high double precision,
	probability double precision, retired_at timestamptz, is_current boolean)
	AS 'MODULE_PATHNAME', 'recsys_bandit_arm_rows' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION recsys.bandit_arm_rows(text) IS 'what a bandit of yours has learned, arm by arm: recsys.bandit_arms has that of all';

CREATE VIEW recsys.bandits AS
SELECT b.name, b.owner,
	   CASE WHEN b.definition ? 'arms' THEN ARRAY(SELECT jsonb_array_elements_text(b.definition -> 'arms')) END AS arms,
	   b.definition ->> 'policy' AS policy,
	   b.definition -> 'reward' AS reward,
	   (b.definition ->> 'epsilon')::double precision AS epsilon,
	   (b.definition ->> 'half_life')::interval AS half_life,
	   b.definition -> 'features' AS features,
	   b.definition -> 'prior' AS prior,
	   (b.definition ->> 'exploration')::double precision AS exploration,
	   (b.definition ->> 'minimum_share')::double precision AS minimum_share,
	   b.definition ->> 'recommender' AS recommender,
	   CASE WHEN b.definition ? 'places' THEN ARRAY(SELECT p::integer FROM jsonb_array_elements_text(b.definition -> 'places') p) END AS places,
	   b.definition ->> 'candidates' AS candidates,
	   (b.definition ->> 'tolerance')::double precision AS tolerance,
	   (b.definition ->> 'seed')::bigint AS seed,
	   b.created_at, b.changed_at, b.counted_since,
	   recsys.bandit_problem(b.name) AS problem
FROM recsys.bandit b
WHERE EXISTS (SELECT FROM pg_roles r WHERE r.rolname = b.owner AND pg_has_role(r.oid, 'USAGE')) OR pg_has_role('pg_read_all_data', 'USAGE')
	OR pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = 'recsys.bandit_state'::regclass), 'USAGE');
GRANT SELECT ON recsys.bandits TO PUBLIC;
COMMENT ON VIEW recsys.bandits IS 'your bandits, one row each, with what is declared of them; NULL is what is not';
COMMENT ON COLUMN recsys.bandits.name IS 'what functions take as recommender';
COMMENT ON COLUMN recsys.bandits.owner IS 'role that has declared it; those who have its rights may change it';
COMMENT ON COLUMN recsys.bandits.arms IS 'recommenders that it chooses from';
COMMENT ON COLUMN recsys.bandits.policy IS 'how it chooses';
COMMENT ON COLUMN recsys.bandits.reward IS 'kinds of events, and what each pays';
COMMENT ON COLUMN recsys.bandits.epsilon IS 'how often epsilon_greedy chooses any arm';
COMMENT ON COLUMN recsys.bandits.half_life IS 'after that time a trial counts half';
COMMENT ON COLUMN recsys.bandits.features IS 'what linucb and linear_thompson look at';
COMMENT ON COLUMN recsys.bandits.prior IS 'what is believed of an arm that was never shown';
COMMENT ON COLUMN recsys.bandits.exploration IS 'how far ucb1, linucb and linear_thompson go for what is not known';
COMMENT ON COLUMN recsys.bandits.minimum_share IS 'how likely each arm is at least; of places: the item of the base list';
COMMENT ON COLUMN recsys.bandits.recommender IS 'whose list has places to be filled';
COMMENT ON COLUMN recsys.bandits.places IS 'those places';
COMMENT ON COLUMN recsys.bandits.candidates IS 'which items they are for';
COMMENT ON COLUMN recsys.bandits.tolerance IS 'how much worse than the base list a candidate may be before it is retired';
COMMENT ON COLUMN recsys.bandits.seed IS 'of what is drawn at random: choices can be repeated';
COMMENT ON COLUMN recsys.bandits.created_at IS 'when it was declared';
COMMENT ON COLUMN recsys.bandits.changed_at IS 'when it was changed last';
COMMENT ON COLUMN recsys.bandits.counted_since IS 'since when it learns: its creation or last reset';
COMMENT ON COLUMN recsys.bandits.problem IS 'why you cannot use it as it is, or NULL';

CREATE VIEW recsys.bandit_arms AS
SELECT b.name AS bandit, a.arm, a.place, a.trials, a.rewards, a.mean, a.mean_low, a.mean_high,
	   a.probability, a.retired_at, a.is_current
FROM recsys.bandits b, LATERAL recsys.bandit_arm_rows(b.name) a;
GRANT SELECT ON recsys.bandit_arms TO PUBLIC;
COMMENT ON VIEW recsys.bandit_arms IS 'what your bandits have learned: a row for each arm, or for each candidate and place';
COMMENT ON COLUMN recsys.bandit_arms.bandit IS 'bandit';
COMMENT ON COLUMN recsys.bandit_arms.arm IS 'recommender; of places an item, or NULL for the base list at that place';
COMMENT ON COLUMN recsys.bandit_arms.place IS 'place of the list, NULL: the list as a whole';
COMMENT ON COLUMN recsys.bandit_arms.trials IS 'how often it was shown, decayed';
COMMENT ON COLUMN recsys.bandit_arms.rewards IS 'what that has brought, decayed';
COMMENT ON COLUMN recsys.bandit_arms.mean IS 'reward of a trial';
COMMENT ON COLUMN recsys.bandit_arms.mean_low IS 'lower end of the 95 % interval of the mean';
COMMENT ON COLUMN recsys.bandit_arms.mean_high IS 'its upper end';
COMMENT ON COLUMN recsys.bandit_arms.probability IS 'how likely it is chosen now; NULL where that depends on the context';
COMMENT ON COLUMN recsys.bandit_arms.retired_at IS 'since when it is no candidate any more';
COMMENT ON COLUMN recsys.bandit_arms.is_current IS 'is it one of the arms or candidates now?';
