# A gateway such as PostgREST 12, played: what it reads from the catalogue of the functions of a schema, how
# it chooses one by the names of the arguments of a call, and the statements that it sends.
package RecsysGateway;

use strict;
use warnings;

# Logs in as AUTHENTICATOR (default: authenticator), which may become the roles of those who ask
sub new
{
	my ($class, $node, %options) = @_;

	return bless { node => $node, functions => {}, authenticator => $options{authenticator} // 'authenticator' }, $class;
}

sub functions { return $_[0]{functions} }

sub ask { return $_[0]{node}->safe_psql('postgres', $_[1]) }

# What a gateway knows of a function: names, types, whether there are defaults, what it returns
sub learn
{
	my ($self, $schema) = @_;
	my $rows = $self->ask(qq(
		SELECT p.proname, p.provolatile, p.proretset, p.pronargs - p.pronargdefaults,
			(SELECT string_agg(p.proargnames[n] || '=' || format_type(p.proargtypes[n - 1], NULL), ';' ORDER BY n)
			 FROM generate_series(1, p.pronargs) n)
		FROM pg_proc p WHERE p.pronamespace = '$schema'::regnamespace));

	for (split /\n/, $rows)
	{
		my ($name, $volatile, $set, $required, $arguments) = split /\|/;
		my @arguments = map { [ split /=/, $_, 2 ] } split /;/, $arguments // '';

		push @{ $self->{functions}{"$schema.$name"} },
		  { name => $name, schema => $schema, volatile => $volatile, set => $set eq 't', arguments => \@arguments, required => $required };
	}
}

# The functions that a gateway may mean by a name and the names of arguments
sub candidates
{
	my ($self, $name, @given) = @_;

	return grep {
		my @names = map { $_->[0] } @{ $_->{arguments} };
		my %known = map { $_ => 1 } @names;
		my %given = map { $_ => 1 } @given;

		!grep { !$known{$_} } @given and !grep { !$given{$_} } @names[ 0 .. $_->{required} - 1 ]
	} @{ $self->{functions}{$name} // [] };
}

# What every request begins with; CLAIMS are those of the token, beside the role
sub begin
{
	my ($self, $method, $schema, $role, $claims) = @_;
	my $mode = $method eq 'GET' ? 'READ ONLY' : 'READ WRITE';
	my $token = qq({"role": "$role") . ($claims ? ", $claims}" : '}');

	return <<"SQL";
BEGIN ISOLATION LEVEL READ COMMITTED $mode;
SELECT set_config('search_path', '"$schema", "public"', true), set_config('role', '$role', true),
	set_config('request.jwt.claims', \$t\$$token\$t\$, true), set_config('request.method', '$method', true) \\g /dev/null
SQL
}

# What comes back, or the error's SQLSTATE
sub send_statements
{
	my ($self, $sql) = @_;
	my ($status, $out, $error) = $self->{node}->psql('postgres', "\\set VERBOSITY sqlstate\n$sql",
		extra_params => [ '-U', $self->{authenticator}, '-q' ], on_error_stop => 1);

	return $error =~ /ERROR:\s+(\w{5})/ ? $1 : "? $error" if $status != 0;
	return $out;
}

# request(METHOD, FUNCTION, JSON, ROLE[, CLAIMS]): the JSON that comes back, or the error's SQLSTATE
sub request
{
	my ($self, $method, $name, $json, $role, $claims) = @_;
	my @given = split /\n/, $self->ask("SELECT json_object_keys(\$json\$$json\$json\$)");
	my @functions = $self->candidates($name, @given);
	return 'PGRST202' if !@functions;
	return 'PGRST203' if @functions > 1;

	my $function = $functions[0];
	my %types = map { $_->[0] => $_->[1] } @{ $function->{arguments} };
	my $begin = $self->begin($function->{volatile} ne 'v' ? 'GET' : $method, $function->{schema}, $role, $claims);
	my $record = join ', ', map { qq("$_" $types{$_}) } @given;
	my $call = sprintf('"%s"."%s"(%s)', $function->{schema}, $function->{name}, join ', ', map { qq("$_" := pgrst_body."$_") } @given);
	my $body = @given
	  ? qq(LATERAL (SELECT * FROM json_to_record(pgrst_payload.json_data) AS _($record) LIMIT 1) pgrst_body)
	  : '(SELECT) pgrst_body';
	$call = $function->{set} ? "SELECT pgrst_call.* FROM pgrst_payload, $body, LATERAL $call pgrst_call"
	  : "SELECT $call pgrst_scalar FROM pgrst_payload, $body";
	my $result = $function->{set} ? 'coalesce(json_agg(_postgrest_t), \'[]\')' : '(json_agg(_postgrest_t.pgrst_scalar) -> 0)';

	return $self->send_statements(<<"SQL");
${begin}PREPARE request AS WITH pgrst_payload AS (SELECT \$1::json AS json_data), pgrst_source AS ($call)
SELECT $result FROM (SELECT * FROM pgrst_source) _postgrest_t;
EXECUTE request(\$json\$$json\$json\$);
COMMIT;
SQL
}

# insert(TABLE, JSON, ROLE, KEY): POST /TABLE?on_conflict=KEY with resolution=ignore-duplicates, by the columns
# of the first object; empty, or the error's SQLSTATE
sub insert
{
	my ($self, $schema, $table, $json, $role, $key) = @_;
	my @columns = split /\n/, $self->ask("SELECT json_object_keys(\$json\$$json\$json\$::json -> 0)");
	my $columns = join ', ', map { qq("$_") } @columns;
	my $record = join ', ', split /\n/, $self->ask(qq(SELECT format('%I %s', attname, format_type(atttypid, atttypmod)) FROM pg_attribute
		WHERE attrelid = '$schema.$table'::regclass AND attname = ANY ('{$columns}')));
	my $begin = $self->begin('POST', $schema, $role);

	return $self->send_statements(<<"SQL");
${begin}WITH pgrst_source AS (
	INSERT INTO "$schema"."$table" ($columns)
	SELECT $columns FROM (SELECT \$json\$$json\$json\$::json AS json_data) pgrst_payload,
		LATERAL (SELECT * FROM json_to_recordset(pgrst_payload.json_data) AS _($record)) pgrst_body
	ON CONFLICT ("$key") DO NOTHING RETURNING 1)
SELECT '' FROM pgrst_source WHERE false;
COMMIT;
SQL
}

1;
