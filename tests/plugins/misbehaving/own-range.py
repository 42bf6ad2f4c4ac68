polster_api = '<1'
