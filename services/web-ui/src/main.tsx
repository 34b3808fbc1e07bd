import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './components/app';
import { StartFailure } from './components/start-failure';
import { loadConfig } from './config';
import './styles/base.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html: expected an element with the id root');
const page = createRoot(root);

loadConfig().then(
  (config) =>
    page.render(
      <StrictMode>
        <App config={config} />
      </StrictMode>,
    ),
  (error: unknown) => page.render(<StartFailure reason={String(error)} />),
);
