#!/usr/bin/perl
# Arrows between the rooms of src point down only.
#
#     test/arrows.pl [SOURCE-DIRECTORY]
#
# Layers and their rooms stand below, lowest first.  A file may include what is in
# its own room, in a room that stands before it, or at the top of src (compat.h,
# fault.h).  Every file stands in a room of this list, no two have the same name,
# and no header includes itself by way of others.  Prints its verdicts in the Test
# Anything Protocol; test/run.sh runs it.

use strict;
use warnings;

use File::Basename;
use File::Find;

my @rooms = qw(
  core/base core/rows core/pairs core/scoring core/sequence core/cross core/dense core/itemset core/rules core/measure core/choice core/arrange core/content core/image core/decide core/policy core/offpolicy core/stream
  stream/record stream/run
  source/input source/team source/train source/basket
  am/store am/lists am/graph am/parts am/entry am/build am/read am/session am/cross am/merge am/write am/whole am/check am/content am/compare am/itembuild am/items am/sight am/arrays
  worker
  api/call api/here api/scoring api/content api/declare api/keep api/shards api/define api/profile api/candidates api/eligible api/order api/route api/log api/serve api/batch api/next api/session api/cross api/ready api/basket api/graph api/measure api/nextmeasure api/operate api/weigh api/offers api/experiment api/verdict api/bandit api/offpolicy api/metrics api/upkeep api/schedule api/views api/stream api/distribute
);

my $root = $ARGV[0] // dirname(__FILE__) . '/../src';
my (%height, %file, %by_name, @homeless, @doubles, @upward, @unknown, @foreign, @circles);

@height{@rooms} = 0 .. $#rooms;

sub room { my $dir = dirname($_[0]); return $dir eq '.' ? '' : $dir }

find({ no_chdir => 1, wanted => sub {
		return unless /\.[ch]$/;
		my $path = substr($_, length($root) + 1);
		open(my $in, '<', $_) or die "$_: $!";
		my @includes = map { /^#include "([^"]+)"/ ? $1 : () } <$in>;
		$file{$path} = \@includes;
	} }, $root);

for my $path (sort keys %file)
{
	my ($name, undef, $suffix) = fileparse($path, qr/\.[ch]/);

	push @homeless, $path if room($path) ne '' && !exists $height{ room($path) };
	push @doubles, "$by_name{$name}, $path"
	  if exists $by_name{$name} && $by_name{$name} ne dirname($path);
	$by_name{$name} = dirname($path);
}

for my $path (sort keys %file)
{
	for my $include (@{ $file{$path} })
	{
		# what is not ours is the server's
		unless (exists $file{$include})
		{
			push @unknown, "$path -> $include" if $include =~ m{^(core|stream|source|am|worker|api)/};
			next;
		}
		# module.c, at the top, is where all of it meets
		next if room($path) eq '' || room($include) eq '';
		# the stream program is no part of the module
		push @foreign, "$path -> $include" if ($path =~ m{^stream/}) != ($include =~ m{^stream/}) && $include !~ m{^core/};
		push @upward, "$path -> $include"
		  if ($height{ room($include) } // 0) > ($height{ room($path) } // 0);
	}
}

# a header that reaches itself
my %state;

sub visit
{
	my ($path, @way) = @_;

	if (($state{$path} // '') eq 'open')
	{
		push @circles, join(' -> ', @way, $path);
		return;
	}
	return if exists $state{$path};
	$state{$path} = 'open';
	visit($_, @way, $path) for grep { exists $file{$_} } @{ $file{$path} };
	$state{$path} = 'done';
}
visit($_) for grep { /\.h$/ } sort keys %file;

my $number = 0;
my $failed = 0;

sub verdict
{
	my ($what, @against) = @_;

	$number++;
	print @against ? "not ok $number - $what\n" : "ok $number - $what\n";
	print "# $_\n" for @against;
	$failed++ if @against;
}

verdict('every source file stands in a room', @homeless);
verdict('no two files have the same name', @doubles);
verdict('every include of ours exists', @unknown);
verdict('no include points to a higher room', @upward);
verdict('the module and the stream program share src/core alone', @foreign);
verdict('no header includes itself by way of others', @circles);
for my $room (@rooms)
{
	my %concepts = map { s/\.[ch]$//r => 1 } grep { room($_) eq $room } keys %file;

	verdict("$room is a room that can be read at a glance", keys %concepts > 20 ? (scalar(keys %concepts) . ' concepts') : ());
}
print "1..$number\n";
exit($failed > 0);
