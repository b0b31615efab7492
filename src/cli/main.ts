#!/usr/bin/env node
import { main } from './program.ts';

process.stdout.on('error', () => process.exit(0)); // the reader of a pipe has left
process.exitCode = await main(process.argv);
