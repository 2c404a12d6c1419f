# Where things stand in a stored row of the item graph (src/am/store/graphrow.h).
package RecsysGraphRow;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(graph_row first_graph_row);

# A row at an offset of some bytes.  Numbers of item and neighbors, widths, and offsets into the
# bytes: of scores and peers that are shown, of users and totals, of spare scores and peers, of
# supports, of the key and the end.  `totals` is undefined where the row has none.
sub graph_row
{
	my ($bytes, $at) = @_;
	my %row = (at => $at);
	my $spare;

	@row{qw(item shown stored keylen flags form)} = unpack('LSSSCC', substr($$bytes, $at, 12));
	$row{peer_width} = ($row{form} & 3) + 1;
	$row{support_width} = ($row{form} >> 2 & 3) + 1;
	$spare = $row{stored} - $row{shown};
	$row{scores} = $at + 12;
	$row{peers} = $row{scores} + 4 * $row{shown};
	$row{users} = $row{peers} + $row{peer_width} * $row{shown};
	$row{floor} = $row{users} + 4;
	$row{totals} = $row{users} + 12 unless $row{form} & 0x10;
	$row{spare_scores} = $row{users} + 12 + ($row{form} & 0x10 ? 0 : 64);
	$row{spare_peers} = $row{spare_scores} + 4 * $spare;
	$row{supports} = $row{spare_peers} + $row{peer_width} * $spare;
	$row{key} = $row{supports} + $row{support_width} * $row{stored};
	$row{end} = $row{key} + $row{keylen};
	return \%row;
}

# The row behind the first line pointer of a page
sub first_graph_row
{
	my ($page) = @_;
	return graph_row($page, unpack('L', substr($$page, 24, 4)) & 0x7FFF);
}

1;
