// The first calls of a frontend: who am I, what do I have, what happened, send some of it.
// Types come from the OpenAPI document: a field that the service does not have is an error here.

import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema";

export type Balances = components["schemas"]["WalletBalances"];
export type Activity = components["schemas"]["Activity"];
export type Problem = components["schemas"]["ProblemBody"];

/** What went wrong, as the service says it; `code` is what to branch on. */
export class BahiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** A client with the session's cookie. Requests that change something carry its CSRF token. */
export function bahi(baseUrl: string, csrfToken: () => string) {
  const client = createClient<paths>({ baseUrl, credentials: "include" });
  const csrf: Middleware = {
    onRequest({ request }) {
      if (request.method !== "GET") {
        request.headers.set("X-CSRF-Token", csrfToken());
      }
      return request;
    },
  };
  client.use(csrf);
  return client;
}

type Client = ReturnType<typeof bahi>;

function told<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) {
    throw new BahiError(answer.error as Problem);
  }
  return answer.data;
}

export async function balances(client: Client, minPosition?: number): Promise<Balances> {
  const query = minPosition === undefined ? {} : { min_position: minPosition };
  return told(await client.GET("/v1/balances", { params: { query } }));
}

export async function activity(client: Client, cursor?: string) {
  const query = cursor === undefined ? { limit: 25 } : { limit: 25, cursor };
  return told(await client.GET("/v1/activity", { params: { query } }));
}

/**
 * Sends money. The key belongs to what the person did, not to the request: make it when the form
 * is shown, and send the same again after a time-out; nothing is sent twice.
 */
export async function send(client: Client, handle: string, value: string, key: string) {
  return told(
    await client.POST("/v1/transfers", {
      params: { header: { "Idempotency-Key": key } },
      body: { to: { handle }, amount: { value, currency: "INR" } },
    }),
  );
}

/** Follows one's own wallet. The browser comes back by itself, and goes on where it was. */
export function follow(baseUrl: string, changed: (activity: Activity) => void): EventSource {
  const events = new EventSource(`${baseUrl}/v1/me/events`, { withCredentials: true });
  events.addEventListener("activity", (message: MessageEvent<string>) => {
    changed(JSON.parse(message.data) as Activity);
  });
  return events;
}
