/*
 * titlequalities.c
 *	  Words of titles that tell variants of a product apart, in the languages that most titles
 *	  are in: red is the quality that rot and rouge are.
 *
 * Frequencies do not tell "red" and "blue", of which nobody takes one for the other, from
 * "sofa" and "couch": both pairs stand in the same places of titles.  So they are a list.
 */
#include "core/arrange/titlequalities.h"

typedef struct Quality
{
	RecsysQualityKind kind;
	const char *words;			/* each between blanks */
} Quality;

/* A value of a kind is its place among those of the kind: at most 32. */
static const Quality qualities[] = {
	{RECSYS_QUALITY_COLOUR, " red rot rote roter rotes rouge rojo roja rosso rossa rood rode vermelho vermelha "},
	{RECSYS_QUALITY_COLOUR, " blue blau blaue blauer blaues bleu bleue azul blu blauw blauwe "},
	{RECSYS_QUALITY_COLOUR, " green grün grüne grüner grünes gruen vert verte verde groen groene "},
	{RECSYS_QUALITY_COLOUR, " yellow gelb gelbe gelber gelbes jaune amarillo amarilla giallo gialla geel gele amarelo amarela "},
	{RECSYS_QUALITY_COLOUR, " black schwarz schwarze schwarzer schwarzes noir noire negro negra nero nera zwart zwarte preto preta "},
	{RECSYS_QUALITY_COLOUR, " white weiß weiße weißer weißes weiss weisse blanc blanche blanco blanca bianco bianca wit witte branco branca "},
	{RECSYS_QUALITY_COLOUR, " grey gray grau graue grauer graues gris grise grigio grigia grijs grijze cinza "},
	{RECSYS_QUALITY_COLOUR, " brown braun braune brauner braunes marron marrón marrone bruin bruine brun brune castanho "},
	{RECSYS_QUALITY_COLOUR, " pink rosa roze "},
	{RECSYS_QUALITY_COLOUR, " orange naranja arancione oranje laranja "},
	{RECSYS_QUALITY_COLOUR, " purple violet violett lila violeta paars roxo "},
	{RECSYS_QUALITY_COLOUR, " beige ivory cream ecru creme crème "},
	{RECSYS_QUALITY_COLOUR, " gold golden goldene oro doré goud gouden ouro dourado "},
	{RECSYS_QUALITY_COLOUR, " silver silber silbern argent argenté plata plateado argento zilver zilveren prata "},
	{RECSYS_QUALITY_COLOUR, " turquoise türkis turquesa turchese teal "},
	{RECSYS_QUALITY_COLOUR, " navy marineblau "},

	{RECSYS_QUALITY_SIZE, " xs "},
	{RECSYS_QUALITY_SIZE, " s small klein kleine kleiner kleines petit petite pequeño pequeña piccolo piccola pequeno pequena "},
	{RECSYS_QUALITY_SIZE, " m medium mittel mittlere moyen moyenne mediano mediana medio media middel médio "},
	{RECSYS_QUALITY_SIZE, " l large groß große großer großes gross grosse grande groot grote "},
	{RECSYS_QUALITY_SIZE, " xl "},
	{RECSYS_QUALITY_SIZE, " xxl 2xl "},
	{RECSYS_QUALITY_SIZE, " xxxl 3xl "},
	{RECSYS_QUALITY_SIZE, " xxxxl 4xl "},

	{RECSYS_QUALITY_WHOM, " women womens woman ladies damen femme femmes mujer mujeres donna donne dames mulher "},
	{RECSYS_QUALITY_WHOM, " men mens man herren homme hommes hombre hombres uomo uomini heren homem "},
	{RECSYS_QUALITY_WHOM, " kids kid children childrens child kinder kind enfant enfants niños bambini bambino kinderen crianças "},
	{RECSYS_QUALITY_WHOM, " girls girl mädchen fille filles niña niñas bambina meisjes menina "},
	{RECSYS_QUALITY_WHOM, " boys boy jungen garçon garçons niño jongens menino "},

	{RECSYS_QUALITY_SIDE, " left links linke gauche izquierda izquierdo sinistra sinistro esquerda "},
	{RECSYS_QUALITY_SIDE, " right rechts rechte droite droit derecha derecho destra destro direita "},

	{RECSYS_QUALITY_MODEL, " pro "},
	{RECSYS_QUALITY_MODEL, " max "},
	{RECSYS_QUALITY_MODEL, " mini "},
	{RECSYS_QUALITY_MODEL, " plus "},
	{RECSYS_QUALITY_MODEL, " lite "},
	{RECSYS_QUALITY_MODEL, " ultra "},
	{RECSYS_QUALITY_MODEL, " refurbished renewed used gebraucht generalüberholt refurbed reconditionné occasion usado usato ricondizionato gebruikt "},
	{RECSYS_QUALITY_MODEL, " refill nachfüllpack nachfüllpackung recharge recarga ricarica navulling "}
};

static const char counting[] =
	" set sets pack packs packung pcs pc pieces piece stück stueck stk stuks pièces pieces piezas pezzi pair pairs paar lot multipack kit box ";

static bool
is_among(const char *words, const char *text, Size len)
{
	for (const char *at = words; (at = strchr(at, ' ')) != NULL; at++)
		if (strncmp(at + 1, text, len) == 0 && at[1 + len] == ' ')
			return true;
	return false;
}

uint32
RecsysWordQuality(const RecsysWord *word, RecsysQualityKind *kind)
{
	uint32		bit = 1;

	for (int x = 0; x < (int) lengthof(qualities); x++)
	{
		bit = x > 0 && qualities[x].kind == qualities[x - 1].kind ? bit << 1 : 1;
		if (!is_among(qualities[x].words, word->text, word->len))
			continue;
		*kind = qualities[x].kind;
		return bit;
	}
	return 0;
}

bool
RecsysWordCounts(const char *text, Size len)
{
	return len > 0 && is_among(counting, text, len);
}
