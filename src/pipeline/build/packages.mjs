// Copies what says which packages a site is made of: `node packages.mjs FOLDER`, beside its
// package-lock.json. The bundle holds their code without their names; scanners look for these.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [target] = process.argv.slice(2);
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
// What is optional runs natively: it is of tools, and never of a bundle.
const packages = Object.entries(lock.packages).filter(
  ([path, { dev, devOptional, optional }]) =>
    path !== "" && !dev && !devOptional && !optional && existsSync(path),
);
const { devDependencies: _, ...root } = lock.packages[""];
mkdirSync(target, { recursive: true });
writeFileSync(
  join(target, "package-lock.json"),
  JSON.stringify({ ...lock, packages: { "": root, ...Object.fromEntries(packages) } }, null, 2),
);
for (const [path] of packages) {
  mkdirSync(join(target, path), { recursive: true });
  copyFileSync(join(path, "package.json"), join(target, path, "package.json"));
}
