/*
 * rowfactors.c
 *	  What the scores of items are multiplied by: how good the seller is, how well the price fits.
 *
 * A factor depends on the item and the user alone, not on what else is in the list.  So the
 * mean that sellers are measured by is that of all of them, as of the last refresh; before
 * the first one it is added up anew for each call.
 */
#include "postgres.h"

#include <math.h>

#include "api/declare/plan.h"
#include "api/declare/popularity.h"
#include "api/order/rowfactors.h"
#include "catalog/pg_type.h"
#include "core/arrange/pricefit.h"
#include "core/arrange/sellerquality.h"
#include "lib/stringinfo.h"

typedef struct RecsysSellerMean
{
	RecsysPlan *plan;			/* that adds it up, once it has been needed */
	uint64		call;			/* when the mean was found out */
	double		mean;			/* NaN: there are no ratings */
} RecsysSellerMean;

bool
RecsysHasRowFactors(const RecsysDefinition *definition)
{
	return definition->price_affinity > 0 ||
		(definition->seller_rating_sum != NULL && definition->seller_ratings != NULL);
}

static double
add_up_mean(RecsysShop *shop)
{
	bool		isnull = true;
	Datum		value = (Datum) 0;
	double		mean;

	if (shop->definition->sellers == NULL)
		return NAN;
	if (shop->seller_mean->plan == NULL)
		shop->seller_mean->plan = RecsysPlanPrepare(shop, "seller_quality",
													RecsysSellerMeanQuery(shop->definition), 0, NULL);
	RecsysPlanRun(shop->seller_mean->plan, NULL, NULL, 0);
	if (SPI_processed == 1)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	mean = isnull ? NAN : DatumGetFloat8(value);
	SPI_freetuptable(SPI_tuptable);
	return mean;
}

/* Once for each call that uses the shop */
static double
seller_mean(RecsysShop *shop)
{
	double		mean;

	if (shop->seller_mean == NULL)
		shop->seller_mean = MemoryContextAllocZero(shop->context, sizeof(RecsysSellerMean));
	if (shop->seller_mean->call == shop->calls)
		return shop->seller_mean->mean;
	if (RecsysReadFigure(shop->definition->name, "seller_mean", &mean, 1) == 0)
		mean = add_up_mean(shop);
	shop->seller_mean->mean = mean;
	shop->seller_mean->call = shop->calls;
	return mean;
}

void
RecsysApplyRowFactors(const RecsysShopProfile *profile, const RecsysItemRow *rows, double *scores,
					  int n)
{
	const RecsysDefinition *definition = profile->shop->definition;
	bool		rated = definition->seller_rating_sum != NULL && definition->seller_ratings != NULL;
	double		mean = rated && n > 0 ? seller_mean(profile->shop) : NAN;

	for (int i = 0; i < n; i++)
	{
		if (rated)
			scores[i] *= RecsysQualityFactor(RecsysShrunkMean(rows[i].seller_sum, rows[i].seller_ratings,
															  definition->seller_prior, mean), mean);
		scores[i] *= RecsysPriceFactor(rows[i].price, profile->price_level, profile->price_spread,
									   definition->price_affinity);
	}
}
