/*
 * itemlists.c
 *	  Lists that an index has of items, whoever asks: the neighbors of one, the popular ones.
 */
#include "postgres.h"

#include "am/graph/popular_page.h"
#include "api/scoring/itemlists.h"
#include "api/scoring/serving.h"

RecsysGraphRow
RecsysCopyGraphRow(RecsysGraphReader *reader, uint32 item, PGAlignedBlock *copy)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);

	if (row == NULL)
		return NULL;
	memcpy(copy->data, row, RECSYS_ROW_SIZE(row->nstored, row->keylen));
	RecsysGraphReleaseRow(reader);
	return (RecsysGraphRow) copy->data;
}

void
RecsysPutNeighbors(RecsysRecommender *recommender, RecsysAnswer *answer, const RecsysKey *key, int k)
{
	RecsysGraphReader reader;
	PGAlignedBlock copy;
	RecsysGraphRow row;
	uint32		item;

	if (!RecsysFindItem(recommender, key, &item))
		return;
	RecsysGraphReaderInit(&reader, recommender->index);
	row = RecsysCopyGraphRow(&reader, item, &copy);
	for (int i = 0; row != NULL && i < Min(k, row->nneighbors); i++)
	{
		Datum		values[4];
		bool		isnull[4] = {false, false, false, false};

		values[0] = RecsysAnswerItem(answer, &reader, row->peers[i]);
		values[1] = Float4GetDatum(RecsysRowScores(row)[i]);
		values[2] = Int64GetDatum((int64) RecsysRowSupports(row)[i]);
		values[3] = Int32GetDatum(i + 1);
		RecsysAnswerPut(answer, values, isnull);
	}
	RecsysGraphReaderDone(&reader);
}

void
RecsysPutPopularItem(RecsysAnswer *answer, RecsysGraphReader *reader, uint32 item, uint32 users,
					 double score, int rank)
{
	Datum		values[4];
	bool		isnull[4] = {false, false, false, false};

	values[0] = RecsysAnswerItem(answer, reader, item);
	values[1] = Int64GetDatum((int64) users);
	values[2] = Float8GetDatum(score);
	values[3] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

void
RecsysPutPopular(RecsysRecommender *recommender, RecsysAnswer *answer, RecsysGraphReader *reader, int k)
{
	int			nshort;
	uint32	   *items = RecsysReadPopular(recommender->index, &nshort);

	if (k <= nshort || nshort < RECSYS_POPULAR_ITEMS)
	{
		for (int i = 0; i < Min(k, nshort); i++)
		{
			RecsysGraphRow row = RecsysGraphReadRow(reader, items[i]);
			uint32		users = row == NULL ? 0 : row->users;

			if (row != NULL)
				RecsysGraphReleaseRow(reader);
			RecsysPutPopularItem(answer, reader, items[i], users, users, i + 1);
		}
	}
	else
	{
		uint32		count;
		RecsysPopularity *popular = RecsysReadAllPopular(recommender->index, &count);

		for (uint32 i = 0; i < Min((uint32) k, count); i++)
			RecsysPutPopularItem(answer, reader, popular[i].item, popular[i].users, popular[i].users,
								 i + 1);
	}
}
