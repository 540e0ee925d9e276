// Shows the description of the API. Requests that are tried out are sent with
// the session of the console, so they do what they say.
window.SwaggerUIBundle({
  url: '/api/all/openapi',
  dom_id: '#doc',
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: false,
  validatorUrl: null,
});
