// npm install standardwebhooks express
import express from "express";
import { Webhook } from "standardwebhooks";

const hook = new Webhook(process.env.WEBHOOK_SECRET);
const app = express();

app.post("/webhooks", express.raw({ type: "*/*" }), (req, res) => {
  try {
    hook.verify(req.body, req.headers);
  } catch {
    return res.sendStatus(401);
  }
  handle(JSON.parse(req.body));
  res.sendStatus(204);
});
