/*
 * topk.c
 *	  The best k of many scored items: selection and sorting.
 */
#include "core/base/topk.h"

/*
 * Quickselect with the median of three as pivot.  Orders are distinct, so the
 * position k - 1 ends up holding the k-th in order.
 */
uint64
RecsysSelectBest(RecsysCandidate *candidates, int n, int k)
{
	int			low = 0;
	int			high = n - 1;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		uint64		a = candidates[low].order;
		uint64		b = candidates[middle].order;
		uint64		c = candidates[high].order;
		uint64		pivot = Max(Min(a, b), Min(Max(a, b), c));
		int			left = low;
		int			right = high;

		while (left <= right)
		{
			while (candidates[left].order < pivot)
				left++;
			while (candidates[right].order > pivot)
				right--;
			if (left <= right)
			{
				RecsysCandidate swap = candidates[left];

				candidates[left++] = candidates[right];
				candidates[right--] = swap;
			}
		}
		if (k - 1 <= right)
			high = right;
		else if (k - 1 >= left)
			low = left;
		else
			break;
	}
	return candidates[k - 1].order;
}

/*
 * Merge sort, runs doubling from one on: unlike quicksort it has no bad
 * inputs, and the lists are short.
 */
RecsysCandidate *
RecsysSortCandidates(RecsysCandidate *candidates, RecsysCandidate *spare, int n)
{
	for (int64 width = 1; width < n; width *= 2)
	{
		RecsysCandidate *swap;

		CHECK_FOR_INTERRUPTS();
		for (int64 start = 0; start < n; start += 2 * width)
		{
			int64		left = start;
			int64		left_end = Min(start + width, n);
			int64		right = left_end;
			int64		right_end = Min(start + 2 * width, n);

			for (int64 x = start; x < right_end; x++)
			{
				if (right >= right_end ||
					(left < left_end && candidates[left].order < candidates[right].order))
					spare[x] = candidates[left++];
				else
					spare[x] = candidates[right++];
			}
		}
		swap = candidates;
		candidates = spare;
		spare = swap;
	}
	return candidates;
}
