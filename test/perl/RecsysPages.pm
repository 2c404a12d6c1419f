# Pages of an index file as src/am/store/page.h has them, for tests that damage or count them.  A file's content
# is passed by reference; a damage is a function that is given it.
package RecsysPages;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;

use constant {
	PAGE => 8192,
	CONTENT => 24,		# page header; line pointers, where there are any
	LOW => 8176,		# special space
	HIGH => 8180,
	NEXT => 8184,
	KIND => 8188,
	SIDE => 8189,
	PAGE_ID => 8190,
	META => 1, DIRECTORY => 2, BUCKET => 3, CHAIN => 4, MAP_ROOT => 5, MAP_LEAF => 6, GRAPH => 7, POPULAR => 8, PENDING => 10,
	FACTOR => 11, GRAM => 12, SKETCH => 13, PRIOR => 14, CONTENTS => 15, TERMS => 16, DELETED => 17, CHUNKS => 18,
};

our @EXPORT = qw(PAGE CONTENT LOW HIGH NEXT KIND SIDE PAGE_ID META DIRECTORY BUCKET CHAIN MAP_ROOT MAP_LEAF GRAPH POPULAR PENDING
	FACTOR GRAM SKETCH PRIOR CONTENTS TERMS DELETED CHUNKS pages lower_end tuples on_pages on_tuples link_to change_file);

# Block numbers of the pages of a kind
sub pages
{
	my ($content, $kind) = @_;
	return grep { ord(substr($$content, $_ * PAGE + KIND, 1)) == $kind } 0 .. length($$content) / PAGE - 1;
}

# Where in a page its free space begins
sub lower_end
{
	my ($content, $block) = @_;
	return unpack('S', substr($$content, $block * PAGE + 12, 2));
}

# Offsets, within the file, of all tuples of the pages of a kind
sub tuples
{
	my ($content, $kind) = @_;
	my @found;

	foreach my $block (pages($content, $kind))
	{
		for (my $at = CONTENT; $at < lower_end($content, $block); $at += 4)
		{
			push @found, $block * PAGE + (unpack('L', substr($$content, $block * PAGE + $at, 4)) & 0x7FFF);
		}
	}
	return @found;
}

# Damage: the same bytes at a place of every page, or every tuple, of a kind
sub on_pages
{
	my ($kind, $at, $bytes) = @_;
	return sub {
		my ($content) = @_;
		substr($$content, $_ * PAGE + $at, length $bytes) = $bytes foreach pages($content, $kind);
	};
}

sub on_tuples
{
	my ($kind, $at, $bytes) = @_;
	return sub {
		my ($content) = @_;
		substr($$content, $_ + $at, length $bytes) = $bytes foreach tuples($content, $kind);
	};
}

# Every page of a kind links, at a place, to a block of another kind (or its own)
sub link_to
{
	my ($kind, $at, $target) = @_;
	return sub {
		my ($content) = @_;
		foreach my $block (pages($content, $kind))
		{
			my $to = $target == $kind ? $block : (pages($content, $target))[0];
			substr($$content, $block * PAGE + $at, 4) = pack('L', $to);
		}
	};
}

# A damage done to a file, while the server is stopped
sub change_file
{
	my ($file, $damage) = @_;
	my $content = slurp_file($file);

	$damage->(\$content);
	open(my $handle, '>:raw', $file) or die "$file: $!";
	print $handle $content;
	close $handle or die "$file: $!";
}

1;
