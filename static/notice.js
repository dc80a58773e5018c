// The notice of an alarm on telephones that let only a worker show one. It keeps nothing,
// fetches nothing and hears nothing: the page shows the notice, this opens the page again.
"use strict";

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const page = event.notification.data;
  const look = async () => {
    const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const open = all.find((one) => one.url.split("#")[0] === page);
    await (open ? open.focus() : self.clients.openWindow(page));
  };
  event.waitUntil(look());
});
