/*
 * cellnumbers.c
 *	  Pairs of numbers, numbered in the order in which they come.
 */
#include "core/offpolicy/cellnumbers.h"

#include "core/base/random.h"

void
RecsysCellNumbersCreate(RecsysCellNumbers *numbers, uint32 most)
{
	Size		size = 16;

	while (size < (Size) most * 2)
		size *= 2;
	numbers->mask = (uint32) (size - 1);
	numbers->count = 0;
	numbers->slots = recsys_alloc_huge_zero(sizeof(uint32) * size);
	numbers->left = recsys_alloc_huge(sizeof(uint32) * Max((Size) most, 1));
	numbers->right = recsys_alloc_huge(sizeof(uint32) * Max((Size) most, 1));
}

void
RecsysCellNumbersFree(RecsysCellNumbers *numbers)
{
	pfree(numbers->slots);
	pfree(numbers->left);
	pfree(numbers->right);
}

/* Where the pair is, or the free place where it belongs */
static uint32
slot_of(const RecsysCellNumbers *numbers, uint32 left, uint32 right)
{
	uint64		pair = (uint64) left << 32 | right;
	uint32		slot = (uint32) RecsysRandomMix(pair + RECSYS_RANDOM_STEP) & numbers->mask;

	while (numbers->slots[slot] != 0)
	{
		uint32		number = numbers->slots[slot] - 1;

		if (numbers->left[number] == left && numbers->right[number] == right)
			break;
		slot = (slot + 1) & numbers->mask;
	}
	return slot;
}

uint32
RecsysCellFind(const RecsysCellNumbers *numbers, uint32 left, uint32 right)
{
	uint32		slot = slot_of(numbers, left, right);

	return numbers->slots[slot] == 0 ? RECSYS_NONE : numbers->slots[slot] - 1;
}

uint32
RecsysCellNumber(RecsysCellNumbers *numbers, uint32 left, uint32 right)
{
	uint32		slot = slot_of(numbers, left, right);

	if (numbers->slots[slot] == 0)
	{
		numbers->left[numbers->count] = left;
		numbers->right[numbers->count] = right;
		numbers->slots[slot] = ++numbers->count;
	}
	return numbers->slots[slot] - 1;
}
