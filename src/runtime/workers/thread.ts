import { ownPort } from '#platform';
import { serve } from './serve.ts';

// the module that a thread of the pool starts with
serve(ownPort());
