// The AWS SDK says how old this Node is, in the middle of a progress bar. The server says it where it belongs: in its log.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
