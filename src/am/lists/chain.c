/*
 * chain.c
 *	  Walking the chain pages of an owner.
 *
 * Whoever goes through a list does it here: readers, VACUUM, marking, checking.
 * The pages come from disk and may be damaged, and a walk has the owner's bucket
 * locked, so that nothing could end one that goes round in a circle.  Three
 * things do: a page belongs to the owner's hash and side and has entries; there
 * are no more of them than the owner claims; and every page is compared with one
 * that was met before, which is replaced whenever the number of pages has doubled
 * (Brent's way to find a cycle: it is known after three times its length at most).
 */
#include "postgres.h"

#include "am/lists/chain.h"

static void
bad_chain(RecsysChain *chain, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains a corrupted list", RelationGetRelationName(chain->index)),
			 errdetail(what, chain->next),
			 errhint("Please REINDEX it.")));
}

static void
bad_count(RecsysChain *chain)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDEX_CORRUPTED),
			 errmsg("index \"%s\" contains a corrupted list", RelationGetRelationName(chain->index)),
			 errdetail("At least %llu entries are there where %u were expected.",
					   (unsigned long long) chain->seen, chain->claimed),
			 errhint("Please REINDEX it.")));
}

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
			ereport(ERROR,
					(errcode(ERRCODE_INDEX_CORRUPTED),
					 errmsg("index \"%s\" contains a corrupted list",
							RelationGetRelationName(chain->index)),
					 errdetail("%llu entries are there where %u were expected.",
							   (unsigned long long) chain->seen, chain->claimed),
					 errhint("Please REINDEX it.")));
		return InvalidBuffer;
	}
	if (chain->next == chain->mark || chain->next == chain->held)
		bad_chain(chain, "It comes back to block %u.");

	buffer = RecsysReadPage(chain->index, chain->next, lockmode, RECSYS_PAGE_CHAIN);
	page = BufferGetPage(buffer);
	opaque = RecsysPageGetOpaque(page);
	count = RecsysChainCount(page, chain->stride);
	if (opaque->side != chain->side || opaque->low != chain->hash)
		bad_chain(chain, "Block %u belongs to another list.");
	if (count == 0)
		bad_chain(chain, "Block %u is empty.");
	chain->seen += count;
	if (chain->seen > chain->claimed)
		bad_count(chain);

	chain->pages++;
	if ((chain->pages & (chain->pages - 1)) == 0)
		chain->mark = chain->next;
	chain->next = opaque->next;
	return buffer;
}
