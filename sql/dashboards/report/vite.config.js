// One file: scripts and styles are inlined, and nothing is loaded from elsewhere.
import { viteSingleFile } from 'vite-plugin-singlefile';

export default {
	build: {
		target: 'es2020',
		modulePreload: false,
		reportCompressedSize: false,
		chunkSizeWarningLimit: 2000,
	},
	plugins: [viteSingleFile({ removeViteModuleLoader: true })],
};
