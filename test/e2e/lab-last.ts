import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take the lab away, which all end-to-end tests share: nothing can be tested after them. */
const last = /\/test\/e2e\/destroy\.test\.ts$/;

/** Vitest's own order (failed and slow files first), but what takes the lab away ends the run. */
export class LabLastSequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLast = ({ moduleId }: TestSpecification) => last.test(moduleId);
    return [...sorted.filter((file) => !isLast(file)), ...sorted.filter(isLast)];
  }
}
