import { describe, expect, test } from "vitest";
import { gitea } from "../../../../engine/comment/gitea.ts";
import { github } from "../../../../engine/comment/github.ts";
import { postComment } from "../../../../engine/comment/post.ts";
import { goodToken, ownAccount, startForge } from "../../../support/forges/forge-server.ts";
import { answerAsGitea, answerAsPagedGitea } from "../../../support/forges/gitea.ts";
import { answerAsGithub } from "../../../support/forges/github.ts";

const wanted = { marker: "<!-- m -->", body: "<!-- m -->\nnew", isNews: true };

describe("a list of comments", () => {
  test.each([
    ["all at once", answerAsGitea, 1],
    ["in pages", answerAsPagedGitea, 3],
  ])("of Gitea is read to its end: %s", async (_, answer, pages) => {
    const forge = await startForge(answer);
    for (let index = 0; index < 120; index += 1) forge.write("a-person", `comment ${index}`);
    forge.write(ownAccount, "<!-- m -->\nold");
    const api = gitea("Gitea", `${forge.url}/api/v1`, "infra/regwarden", 12);
    expect(await postComment(api, goodToken, wanted)).toBe("edited");
    expect(forge.asked.filter(({ path }) => path.includes("page=")).length).toBe(pages);
  });

  test("of Gitea is read to its end when something between takes the header with its length away", async () => {
    const forge = await startForge((asked, state) => {
      const { headers: _, ...reply } = answerAsGitea(asked, state);
      return reply;
    });
    forge.write("a-person", "comment");
    const api = gitea("Gitea", `${forge.url}/api/v1`, "infra/regwarden", 12);
    expect(await postComment(api, goodToken, wanted)).toBe("created");
  });

  test("takes the token to no other address than the forge's own", async () => {
    const other = await startForge(answerAsGithub);
    const forge = await startForge((asked, state) => {
      const reply = answerAsGithub(asked, state);
      const link = { link: `<${other.url}/repos?page=2>; rel="next"` };
      return asked.path.includes("comments") ? { ...reply, headers: link } : reply;
    });
    const api = github(forge.url, `${forge.url}/graphql`, "infra/regwarden", 12);
    await expect(postComment(api, goodToken, wanted)).rejects.toThrow("which is not");
    expect(other.asked).toEqual([]);
  });
});
