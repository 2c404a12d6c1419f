# A broker for stream.sh, until it is killed: broker.pl FILE TOPIC… — topics of four partitions, or of as
# many as BENCH_PARTITIONS says; where it is goes to FILE when they are there.

use strict;
use warnings;

use KafkaBroker;

my ($file, @topics) = @ARGV;
my $broker = KafkaBroker->new('bench', java => [ '-Xms512m', '-Xmx512m', '-XX:+UseSerialGC' ]);

$broker->start;
$broker->create_topic($_, $ENV{BENCH_PARTITIONS} // 4) foreach @topics;
open my $out, '>', "$file.new" or die "$file: $!";
print $out $broker->brokers, "\n";
close $out;
rename "$file.new", $file or die "$file: $!";
sleep 3600 while 1;
