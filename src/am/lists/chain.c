/*
 * chain.c
 *	  Walking the chain pages of an owner.
 *
 * All walks of lists are done here: those of readers, VACUUM, marking and checking.
 * The pages come from disk and may be damaged.  A walk has the owner's bucket locked,
 * so if it went round in a circle, nothing could interrupt it.  Three checks end it:
 *
 * - Each page must belong to the owner's hash and side, and must have entries.
 * - There must not be more entries than the owner claims.
 * - Each page is compared with one page that was met before.  That page is replaced
 *	 whenever the number of pages has doubled.  This is Brent's way to find a cycle; it
 *	 takes at most three times the cycle's length.
 */
#include "postgres.h"

#include "am/lists/chain.h"
#include "am/store/corrupted.h"

#define corrupted(chain, ...) \
	RecsysCorruptedDetail((chain)->index, \
						  psprintf("index \"%s\" contains a corrupted list", \
								   RelationGetRelationName((chain)->index)), \
						  __VA_ARGS__)

void
RecsysChainBegin(RecsysChain *chain, Relation index, RecsysSide side, int stride,
				 const RecsysOwnerData *owner)
{
	chain->index = index;
	chain->side = side;
	chain->stride = stride;
	chain->hash = owner->hash;
	chain->claimed = owner->count;
	chain->seen = owner->tail;
	chain->pages = 0;
	chain->next = owner->chain;
	chain->held = InvalidBlockNumber;
	chain->mark = InvalidBlockNumber;
}

Buffer
RecsysChainNext(RecsysChain *chain, int lockmode)
{
	Buffer		buffer;
	Page		page;
	RecsysPageOpaque opaque;
	int			count;

	if (chain->next == InvalidBlockNumber)
	{
		if (chain->seen != chain->claimed)
			corrupted(chain, "%llu entries are there where %u were expected.",
					  (unsigned long long) chain->seen, chain->claimed);
		return InvalidBuffer;
	}
	if (chain->next == chain->mark || chain->next == chain->held)
		corrupted(chain, "It comes back to block %u.", chain->next);

	buffer = RecsysReadPage(chain->index, chain->next, lockmode, RECSYS_PAGE_CHAIN);
	page = BufferGetPage(buffer);
	opaque = RecsysPageGetOpaque(page);
	count = RecsysChainCount(page, chain->stride);
	if (opaque->side != chain->side || opaque->low != chain->hash)
		corrupted(chain, "Block %u belongs to another list.", chain->next);
	if (count == 0)
		corrupted(chain, "Block %u is empty.", chain->next);
	chain->seen += count;
	if (chain->seen > chain->claimed)
		corrupted(chain, "At least %llu entries are there where %u were expected.",
				  (unsigned long long) chain->seen, chain->claimed);

	chain->pages++;
	if ((chain->pages & (chain->pages - 1)) == 0)
		chain->mark = chain->next;
	chain->next = opaque->next;
	return buffer;
}
